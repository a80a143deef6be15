import { Trans } from 'react-i18next';
import { clockTime } from './format.js';
import { usePhone } from './phone-context.js';
import type { Peer } from './phone-view.js';

/** `online`, or when the other person was last seen. */
export function PeerPresence({ peer }: { readonly peer: Peer }) {
  const { t, language } = usePhone();
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
