/** The command `strowger`. Each sub-command is a file of its own beside this one. */
import { program } from "commander";
import { db } from "./db.ts";

program.name("strowger").description("SIP telephony on Kubernetes: YAML in, ringing phones out.");
program.addCommand(db);
await program.parseAsync();
