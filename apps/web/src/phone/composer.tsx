import { useRef, useState, type KeyboardEvent, type SyntheticEvent } from 'react';
import { Trans } from 'react-i18next';
import { LIMITS } from '@curbline/client';
import { SendIcon } from '../icons/icons.js';
import { codePoints, isolate } from './format.js';
import { usePhone } from './phone-context.js';

interface ComposerProps {
  readonly peerName: string;
  readonly onSend: (text: string) => void;
  readonly onTyping: (typing: boolean) => void;
  /** A button before the field, such as the one that shares a location. */
  readonly before?: React.ReactNode;
}

/** The field for own words. Enter sends, Shift+Enter breaks the line; the focus stays where one writes. */
export function Composer({ peerName, onSend, onTyping, before }: ComposerProps) {
  const { t } = usePhone();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const length = codePoints(text);
  const tooLong = length > LIMITS.textMaxCodePoints;
  const sendable = text.trim() !== '' && !tooLong;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (sendable) {
      onSend(text.trim());
      onTyping(false);
      setText('');
    }
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While an input method composes, Enter chooses a candidate.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    submit(event);
  };

  return (
    <>
      {tooLong && (
        <p className="strip" role="alert">
          <Trans
            t={t}
            i18nKey="phone.tooLong"
            values={{ total: length, max: LIMITS.textMaxCodePoints }}
            components={{ bdi: <bdi /> }}
          />
        </p>
      )}
      <form className="composer" onSubmit={submit}>
        {before}
        <textarea
          ref={field}
          rows={1}
          // Empty, it has the direction of its placeholder.
          dir={text === '' ? undefined : 'auto'}
          value={text}
          aria-label={t('phone.message', { name: isolate(peerName) })}
          placeholder={t('phone.message', { name: isolate(peerName) })}
          enterKeyHint="send"
          onChange={(event) => {
            setText(event.target.value);
            onTyping(event.target.value.trim() !== '');
          }}
          onBlur={() => onTyping(false)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" disabled={!sendable} aria-label={t('phone.send')}>
          <SendIcon />
        </button>
      </form>
    </>
  );
}
