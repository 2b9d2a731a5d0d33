// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline apply FILE.toml`: brings policies, profiles and mailboxes to what the file says, after the rules
// agreed.
#include "service/organisation/apply.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/apply_text.hpp"
#include "cli/configuration_file.hpp"
#include "cli/organisation_command.hpp"
#include "service/views/findings_json.hpp"

namespace syncline::cli {
namespace {

struct ApplyOptions {
  std::string file;
  std::string format;
  std::string language;
  std::string who;
  std::string reason;
  bool dry_run = false;
};

ExitStatus run_apply(const Globals& globals, const ApplyOptions& options) {
  const auto wanted = read_configuration_file(options.file);
  if (!wanted) return ExitStatus::bad_input;
  auto organisation = open_organisation(globals, options.dry_run ? OpenFor::reading : OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const service::Actor actor{options.who.empty() ? current_user() : options.who, options.reason};
  auto outcome = service::apply(**organisation, *wanted, options.dry_run, actor);
  if (!outcome) return report(outcome.error());
  AssignmentOptions language_options;
  language_options.language = options.language;
  const rules::Language language = language_of(language_options);
  Output output;
  if (options.format == "json") {
    append_line(output, service::to_json(*outcome, language, options.dry_run));
  } else {
    append_apply_text(output.text(), *outcome, language, options.dry_run);
  }
  return finish(output, outcome->refusals.empty() ? ExitStatus::done : ExitStatus::refused);
}

}  // namespace

void add_apply(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "apply", "Bring policies, profiles and mailboxes to what a file says, if the rules agree");
  auto options = std::make_shared<ApplyOptions>();
  command->add_option("FILE", options->file, "TOML, see `syncline config example`; - for standard input")
      ->required()
      ->type_name("FILE.toml|-");
  command->add_flag("--dry-run", options->dry_run,
                    "Show what would change, and the verdicts; change nothing");
  add_format_option(*command, options->format);
  command->add_option("--lang", options->language, "Language of findings (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
  add_actor_options(*command, options->who, options->reason);
  command->footer(
      "All of it or nothing. What the file does not name is removed, but no mailbox that is enabled.\n"
      "Exit: 0 done, 1 something was refused and nothing changed, 2 the file is wrong, 4 local trouble.");
  command->callback([options, &action] {
    action = [options](const Globals& globals) { return run_apply(globals, *options); };
  });
}

}  // namespace syncline::cli
