import { type DialectName } from '../../contender.ts';
import { type Dialect } from '../dialect.ts';
import { graphql } from './graphql.ts';
import { plain } from './plain.ts';
import { socketIo } from './socket-io.ts';

export function dialectOf(name: DialectName): Dialect {
  switch (name) {
    case 'graphql':
      return graphql;
    case 'plain':
      return plain;
    case 'socket.io':
      return socketIo;
  }
}
