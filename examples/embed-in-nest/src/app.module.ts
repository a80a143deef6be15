import { ChatModule } from '@curbline/server';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { BoardGateway } from './board.gateway.js';
import { KnownFieldsPipe } from './known-fields.pipe.js';
import { RidesController } from './rides.controller.js';
import { ShopConfig, ShopConfigModule } from './shop-config.js';
import { ShopErrorFilter } from './shop-error.filter.js';
import { StaffGuard } from './staff.guard.js';

/** A shop that already has its own routes, its own rules for all of them, and its own Socket.IO gateway. */
@Module({
  imports: [
    ShopConfigModule,
    ChatModule.forRootAsync({
      imports: [ShopConfigModule],
      inject: [ShopConfig],
      useFactory: (config: ShopConfig) => ({
        database: config.database,
        // The shop's database may hold other tables: the chat's live in a schema of their own.
        schema: 'chat',
        tokens: { secret: config.tokenSecret },
        apiKeys: [config.apiKey],
        origins: config.origins,
        // The shop's own gateway is at /socket.io/; the chat moves aside.
        sockets: { path: '/chat/' },
      }),
    }),
  ],
  controllers: [RidesController],
  providers: [
    BoardGateway,
    { provide: APP_GUARD, useClass: StaffGuard },
    { provide: APP_PIPE, useClass: KnownFieldsPipe },
    { provide: APP_FILTER, useClass: ShopErrorFilter },
  ],
})
export class AppModule {}
