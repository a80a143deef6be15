import { Trans } from 'react-i18next';
import { clockTime } from './format.js';
import { usePhone } from './phone-context.js';
import type { PhoneView } from './phone-view.js';

/** `online`, or when the other person was last seen. A phone without a link does not know, and does not guess. */
export function PeerPresence({ view }: { readonly view: PhoneView }) {
  const { t, language } = usePhone();
  const { peer, link } = view;
  if (link === 'connecting') return <span className="presence">{t('phone.connecting')}</span>;
  if (link !== 'online') return <span className="presence">{t('phone.noNetwork')}</span>;
  if (peer === undefined) return null;
  return (
    <span className="presence" data-online={peer.online}>
      {peer.online && t('phone.online')}
      {!peer.online && peer.lastSeenAt === undefined && t('phone.offline')}
      {!peer.online && peer.lastSeenAt !== undefined && (
        <Trans
          t={t}
          i18nKey="phone.lastSeen"
          values={{ time: clockTime(peer.lastSeenAt, language) }}
          components={{ bdi: <bdi /> }}
        />
      )}
    </span>
  );
}
