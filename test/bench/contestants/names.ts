/** The names of the contestants in results and on the page. */
export const strowger = "Strowger, 1 node";
export const shipped = "Kamailio as shipped";
export const tuned = "Kamailio tuned";
/** Appended to a name: every look-up of a location reads the database. */
export const readsDatabase = ", db_mode=3";

export const oneNode = "1 node";
export const withinOneOfTwo = "2 nodes, phones of one node";
export const acrossTwo = "2 nodes, phones of different nodes";
export const acrossFour = "4 nodes, phones of different nodes";
export const twoNodes = "2 nodes";
export const fourNodes = "4 nodes";
export const eightNodes = "8 nodes";
