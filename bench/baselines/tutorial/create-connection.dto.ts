import { IsString, MaxLength } from 'class-validator';

export class CreateConnectionDto {
  @IsString()
  @MaxLength(128)
  booking_id!: string;
}
