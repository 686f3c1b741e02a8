/** The table of the kernel's UDP sockets. */
import { expect, it } from "vitest";
import { parseUdpTable } from "./receive-drops.ts";

const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  312: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 15101 2 00000000f3d2a1b7 0
  319: 00000000:13C4 00000000:0000 07 00000000:00034900 00:00000000 00000000     0        0 15102 2 0000000012345678 271
`;
const table6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   12: 00000000000000000000000001000000:13C4 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 15103 2 0000000087654321 5
`;

it("each row has its port, its inode and its drops", () => {
  expect(parseUdpTable(table)).toEqual([
    { port: 5060, inode: "15101", drops: 0 },
    { port: 5060, inode: "15102", drops: 271 },
  ]);
  expect(parseUdpTable(table6)).toEqual([{ port: 5060, inode: "15103", drops: 5 }]);
});

it("no table has no rows", () => {
  expect(parseUdpTable("")).toEqual([]);
});
