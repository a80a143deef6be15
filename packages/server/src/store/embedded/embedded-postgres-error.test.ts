import { describe, expect, test } from 'vitest';
import { EmbeddedPostgresError, explainFileError, explainProgramError } from './embedded-postgres-error.js';

const fileError = (code: string): Error =>
  Object.assign(new Error(`${code}: what the system says`), { code });

describe('a failed file operation', () => {
  test.each([
    ['ENOSPC', /^The disk that holds \/data is full: free at least 200 MB/],
    ['EDQUOT', /^The disk that holds \/data is full/],
    ['EACCES', /^Curbline may not write to \/data .*CURBLINE_DATA_DIR/],
    ['EROFS', /^Curbline may not write to \/data/],
    ['ENOTDIR', /^\/data is in the way, it is not a folder/],
    ['EIO', /^The database folder \/data cannot be used: EIO: what the system says/],
  ])('%s becomes a sentence and keeps its cause', (code, sentence) => {
    const cause = fileError(code);
    const explained = explainFileError(cause, '/data');
    expect(explained.message).toMatch(sentence);
    expect(explained).toMatchObject({ name: 'EmbeddedPostgresError', cause });
  });

  test('that is explained already stays as it is', () => {
    const explained = new EmbeddedPostgresError('a sentence');
    expect(explainFileError(explained, '/data')).toBe(explained);
  });
});

describe('a failed program', () => {
  test.each([
    ['could not write to file "base/1": No space left on device', /^The disk that holds \/data is full/],
    ['could not create directory: Read-only file system', /^Curbline may not write to \/data/],
    [
      'initdb: error: could not look up effective user ID 4711: user does not exist',
      /an entry in \/etc\/passwd/,
    ],
    [
      '  something else  ',
      /^initdb failed for the database in \/data: something else\. .*CURBLINE_DATABASE_URL/,
    ],
    ['', /it said nothing/],
  ])('that says %j becomes a sentence', (output, sentence) => {
    expect(explainProgramError('initdb', output, '/data').message).toMatch(sentence);
  });
});
