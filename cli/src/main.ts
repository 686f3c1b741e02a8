/** The command `strowger`. Each sub-command has its own file or folder. */
import { program } from "commander";
import { db } from "./db.ts";
import { selftestCommand } from "./selftest/command.ts";
import { uninstallCommand } from "./uninstall/command.ts";
import { upCommand } from "./up/command.ts";

program.name("strowger").description("SIP telephony on Kubernetes: YAML in, ringing phones out.");
program.addCommand(db);
program.addCommand(selftestCommand());
program.addCommand(uninstallCommand());
program.addCommand(upCommand());
await program.parseAsync();
