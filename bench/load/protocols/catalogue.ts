import { type ProtocolName } from '../../contender.ts';
import { type Protocol } from '../protocol.ts';
import { graphql } from './graphql.ts';
import { plain } from './plain.ts';
import { socketIo } from './socket-io.ts';

export function protocolOf(name: ProtocolName): Protocol {
  switch (name) {
    case 'graphql':
      return graphql;
    case 'plain':
      return plain;
    case 'socket.io':
      return socketIo;
  }
}
