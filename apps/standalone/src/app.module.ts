import { ChatModule } from '@curbline/server';
import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Configuration } from './configuration.js';
import { CONFIGURATION, DemoController } from './demo.controller.js';

/** The stand-alone server: a host of ChatModule like any other, with a log and, in development, the demo. */
@Module({})
class AppModule {}

/** The module with its settings. */
export const appModule = (configuration: Configuration): DynamicModule => ({
  module: AppModule,
  imports: [
    LoggerModule.forRoot({
      pinoHttp: { level: configuration.logLevel, autoLogging: false, quietReqLogger: true },
    }),
    ChatModule.forRoot(configuration.chat),
  ],
  controllers: configuration.production ? [] : [DemoController],
  providers: [{ provide: CONFIGURATION, useValue: configuration }],
});
