// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline mailbox set` and `mailbox apply-defaults`: the same change of many mailboxes, if the rules agree.
#include "cli/mailbox_edit.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/apply_text.hpp"
#include "cli/assignment_rows.hpp"
#include "cli/mailbox_choice.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/views/findings_json.hpp"

namespace syncline::cli {
namespace {

struct Options {
  MailboxChoice choice;
  std::vector<std::string> words;  ///< addresses and KEY=VALUE
  service::Actor actor;
  std::string format;
  std::string language;
  bool dry_run = false;
};

/// "key=value", not an address with "=" in it.
bool is_change(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  for (const char c : word.substr(0, equals))
    if ((c < 'a' || c > 'z') && c != '_' && c != '.') return false;
  return true;
}

using Change = std::function<Result<service::ApplyOutcome>(service::Organisation& organisation,
                                                           const std::vector<std::string>& addresses,
                                                           const service::Actor& actor)>;

ExitStatus run(const Globals& globals, const Options& options, const Change& change) {
  auto organisation = open_organisation(globals, options.dry_run ? OpenFor::reading : OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto stored = (*organisation)->load();
  if (!stored) return report(stored.error());
  auto addresses = chosen_mailboxes(options.choice, *stored);
  if (!addresses) return report(addresses.error());
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  AssignmentOptions shared;
  shared.language = options.language;
  const rules::Language language = language_of(shared);
  Output output;
  if (addresses->empty()) {
    if (options.format == "text") output.text() += "No mailboxes.\n";
    return finish(output, ExitStatus::done);
  }
  auto outcome = change(**organisation, *addresses, actor);
  if (!outcome) return report(outcome.error());
  if (options.format == "json") {
    append_line(output, service::to_json(*outcome, language, options.dry_run));
  } else {
    if (options.dry_run) append_verdicts(output.text(), *outcome);
    append_apply_text(output.text(), *outcome, language, options.dry_run);
  }
  return finish(output, outcome->refusals.empty() ? ExitStatus::done : ExitStatus::refused);
}

ExitStatus run_set(const Globals& globals, const Options& options) {
  std::vector<service::SettingChange> changes;
  for (const std::string& word : options.words) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (service::looks_like_secret(key)) {
      complain(shown(key) + ": secrets are not kept as settings; use syncline secret set");
      return ExitStatus::bad_input;
    }
    if (equals + 1 == word.size()) {
      changes.push_back({key, nullptr});
      continue;
    }
    auto value = service::read_setting_value(std::string_view(word).substr(equals + 1));
    if (!value) {
      complain(shown(key + ": " + value.error()));
      return ExitStatus::bad_input;
    }
    changes.push_back({key, std::move(*value)});
  }
  return run(globals, options,
             [&](service::Organisation& organisation, const auto& addresses, const auto& actor) {
               return service::set_mailboxes(organisation, addresses, changes, options.dry_run, actor);
             });
}

void add_shared_options(CLI::App& command, Options& options) {
  command.add_flag("--dry-run", options.dry_run, "Show the difference and the verdicts; change nothing");
  add_format_option(command, options.format);
  command.add_option("--lang", options.language, "Language of findings (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
  add_actor_options(command, options.actor.who, options.actor.reason);
  command.footer(
      "All of it or nothing.\n"
      "Exit: 0 done, 1 the rules reject one and nothing changed, 2 no such mailbox, profile or setting.");
}

}  // namespace

void add_mailbox_edit(CLI::App& mailbox, Action& action) {
  CLI::App* set =
      mailbox.add_subcommand("set", "Change settings of mailboxes, those of the file's [[mailbox]]");
  auto options = std::make_shared<Options>();
  set->add_option(
         "WORD", options->words,
         "Addresses, and changes: KEY=VALUE as in the file, policy.mail.track=all, KEY= takes it back")
      ->required()
      ->type_name("ADDRESS|KEY=VALUE");
  set->add_option("--profile", options->choice.profile, "All mailboxes of this profile")->type_name("NAME");
  set->add_flag("--all", options->choice.all, "All mailboxes");
  add_shared_options(*set, *options);
  set->callback([options, &action] {
    std::vector<std::string> changes;
    for (std::string& word : options->words)
      (is_change(word) ? changes : options->choice.addresses).push_back(std::move(word));
    options->words = std::move(changes);
    if (options->words.empty()) throw CLI::ValidationError("mailbox set", "name a change: KEY=VALUE");
    check_mailbox_choice(options->choice, "mailbox set", true);
    action = [options](const Globals& globals) { return run_set(globals, *options); };
  });

  CLI::App* defaults =
      mailbox.add_subcommand("apply-defaults", "Give mailboxes what [defaults] says, whatever they had");
  auto chosen = std::make_shared<Options>();
  add_mailbox_choice(*defaults, chosen->choice, true);
  add_shared_options(*defaults, *chosen);
  defaults->callback([chosen, &action] {
    check_mailbox_choice(chosen->choice, "mailbox apply-defaults", true);
    action = [chosen](const Globals& globals) {
      return run(globals, *chosen,
                 [&](service::Organisation& organisation, const auto& addresses, const auto& actor) {
                   return service::apply_defaults(organisation, addresses, chosen->dry_run, actor);
                 });
    };
  });
}

}  // namespace syncline::cli
