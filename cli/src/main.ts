/** The command `strowger`. Each sub-command is a file of its own beside this one. */
import { program } from "commander";
import { db } from "./db.ts";
import { upCommand } from "./up/command.ts";

program.name("strowger").description("SIP telephony on Kubernetes: YAML in, ringing phones out.");
program.addCommand(db);
program.addCommand(upCommand());
await program.parseAsync();
