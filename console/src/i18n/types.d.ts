import "i18next";
import type shell from "../words/pt/shell.json";
import type problems from "../words/pt/problems.json";
import type findings from "../words/pt/findings.json";
import type files from "../words/pt/files.json";
import type losses from "../words/pt/losses.json";
import type comparison from "../words/pt/comparison.json";
import type build from "../areas/build/words/pt.json";
import type campaigns from "../areas/campaigns/words/pt.json";
import type inbox from "../areas/inbox/words/pt.json";
import type measure from "../areas/measure/words/pt.json";
import type people from "../areas/people/words/pt.json";
import type settings from "../areas/settings/words/pt.json";
import type tries from "../areas/try/words/pt.json";

// Portuguese decides which keys there are; a test compares the other languages. A new area adds its line here.
declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "shell";
    returnNull: false;
    pluralSeparator: "#";
    contextSeparator: "~";
    resources: {
      shell: typeof shell;
      problems: typeof problems;
      findings: typeof findings;
      files: typeof files;
      losses: typeof losses;
      comparison: typeof comparison;
      build: typeof build;
      campaigns: typeof campaigns;
      inbox: typeof inbox;
      measure: typeof measure;
      people: typeof people;
      settings: typeof settings;
      try: typeof tries;
    };
  }
}
