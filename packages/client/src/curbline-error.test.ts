import { ERROR_CODES, ERRORS } from '@curbline/contract/wire';
import { expect, test } from 'vitest';
import { CurblineError } from './curbline-error.js';

test.each(ERROR_CODES)('%s is as retryable as the contract says', (code) => {
  expect(new CurblineError(code, 'x').retryable).toBe(ERRORS[code].retryable);
});

test('what the server answers is kept', () => {
  const details = [{ path: 'body.text', message: 'empty' }];
  const answer = {
    code: 'invalid',
    message: 'no',
    retryable: false,
    retry_after_ms: 5,
    details,
    request_id: 'r',
  };
  const error = CurblineError.from(answer);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: 'invalid', message: 'no', retryAfterMs: 5, details, requestId: 'r' });
});
