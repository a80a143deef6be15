import { Type } from 'class-transformer';
import { IsIn, IsNotEmpty, IsString, IsUUID, MaxLength, ValidateNested } from 'class-validator';

export class TextBodyDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(4000)
  text!: string;
}

export class SendMessageDto {
  @IsString()
  @MaxLength(128)
  booking_id!: string;

  @IsUUID()
  client_id!: string;

  @IsIn(['text'])
  kind!: string;

  @ValidateNested()
  @Type(() => TextBodyDto)
  body!: TextBodyDto;
}
