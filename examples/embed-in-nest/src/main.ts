import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
// So that Ctrl+C and SIGTERM drain the chat: sockets are told, what is being stored is finished.
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3_000), '127.0.0.1');
console.log(`The shop is open at ${await app.getUrl()}`);
