import { Injectable, Module } from '@nestjs/common';

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} must be set`);
  return value;
};

/** The shop's configuration, from wherever the shop keeps it. */
@Injectable()
export class ShopConfig {
  /** A PostgreSQL server, or a folder in which the chat runs a PostgreSQL of its own. */
  readonly database = process.env['SHOP_DATABASE_URL']
    ? { url: process.env['SHOP_DATABASE_URL'] }
    : { dataDir: process.env['SHOP_DATA_DIR'] ?? '.shop' };
  /** At least 32 bytes: signs and checks the tokens of drivers and customers. */
  readonly tokenSecret = required('SHOP_CHAT_SECRET');
  /** At least 16 characters: for calls to `/v1`. */
  readonly apiKey = required('SHOP_CHAT_API_KEY');
  readonly origins = (process.env['SHOP_ORIGINS'] ?? '').split(',').filter((origin) => origin !== '');
}

@Module({ providers: [ShopConfig], exports: [ShopConfig] })
export class ShopConfigModule {}
