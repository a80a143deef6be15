import 'reflect-metadata';
import type { CommandName, Payload, Result } from '@curbline/contract';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import type { Printed } from '../printed.js';

const COMMANDS = Symbol('curbline.commands');

/**
 * What serves a command: who asks, the parsed payload, and a way to answer before the handler has ended, where there is one.
 * What it then resolves to must be the same, and is not written again.
 */
export type CommandHandler<N extends CommandName> = (
  actor: Actor,
  payload: Payload<N>,
  answerNow?: (answer: Printed<Result<N>>) => void,
) => Promise<Result<N> | Printed<Result<N>>>;

interface Registered {
  readonly name: CommandName;
  readonly method: string;
}

/** A class whose methods serve commands. */
export const ChatGateway = (): ClassDecorator => Injectable();

/** Binds a method to a command of the contract; its payload and result are checked against the contract's types. */
export function OnCommand<N extends CommandName>(name: N) {
  return <M extends string, H extends CommandHandler<N>>(
    target: Partial<Record<M, CommandHandler<N>>>,
    method: M,
    _descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    const known = (Reflect.getOwnMetadata(COMMANDS, target) as Registered[] | undefined) ?? [];
    Reflect.defineMetadata(COMMANDS, [...known, { name, method }], target);
  };
}

/** The commands that a gateway serves, bound to it. */
export function commandsOf(gateway: object): [CommandName, CommandHandler<CommandName>][] {
  const registered = (Reflect.getMetadata(COMMANDS, Object.getPrototypeOf(gateway) as object) ??
    []) as Registered[];
  return registered.map(({ name, method }) => {
    const handler = (gateway as Record<string, CommandHandler<CommandName>>)[method];
    if (!handler) throw new Error(`${method} is decorated but missing`);
    return [name, handler.bind(gateway)];
  });
}
