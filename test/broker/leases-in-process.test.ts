import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { leasesContract } from '../contracts/leases-contract.ts';

leasesContract('The in-process leases', createInProcessLeases);
