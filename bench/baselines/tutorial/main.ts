import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ChatGateway } from './chat.gateway.js';
import { ChatService } from './chat.service.js';
import { LeanGateway } from './lean.gateway.js';

@Module({ providers: [ChatService, process.env['TUTORIAL_FORM'] === 'lean' ? LeanGateway : ChatGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
app.useWebSocketAdapter(new IoAdapter(app));
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
process.stdout.write(`ready ${port}\n`);
