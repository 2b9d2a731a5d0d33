// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline key`: changes the vault's key, or begins anew when it is lost.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/damaged_secret.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

Result<void> note(service::Organisation& organisation, const char* act, const service::Actor& actor) {
  return organisation.store().write<void>([&](store::Transaction& transaction) {
    return store::append_audit(transaction, {.who = actor.who.empty() ? current_user() : actor.who,
                                             .act = act,
                                             .object = "organisation",
                                             .reason = actor.reason});
  });
}

ExitStatus run_replace(const Globals& globals, const service::Actor& actor) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto forgotten = service::replace_lost_key(**organisation);
  if (!forgotten) return report(forgotten.error());
  if (auto audited = note(**organisation, "key.replace", actor); !audited) return report(audited.error());
  Output output;
  output.text() = fmt::format(
      "Forgotten: {} sealed values that nothing opens any more. The key is {} now; keep a copy elsewhere.\n"
      "Next: syncline secret set and auth login for every profile and mailbox; syncline mailbox show says "
      "whose "
      "are missing\n",
      *forgotten, shown((*organisation)->key_place().describe()));
  return finish(output, ExitStatus::done);
}

std::string remedy_for(const vault::Account& account) {
  if (account.kind == "webhook")
    return fmt::format("give it a new signing key (POST /webhooks/{}/signing-key)", account.name);
  return fmt::format("set them again (syncline secret set --{} {}{})", account.kind, account.name,
                     account.kind == "mailbox" ? "; a sign-in: syncline auth login" : "");
}

/// Names them, with what to do.
ExitStatus report_damaged(const std::vector<vault::Account>& damaged) {
  if (damaged.empty()) return ExitStatus::done;
  for (const vault::Account& account : damaged)
    complain(shown(fmt::format("the secrets of {} {} cannot be opened, they were changed or damaged: {}",
                               account.kind, account.name, remedy_for(account))));
  complain("the old key stays in the file for these; run key rotate again once they are set");
  return ExitStatus::refused;
}

ExitStatus run_rotate(const Globals& globals, const service::Actor& actor) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto wrapped = service::rotate_master_key(**organisation);
  if (!wrapped) return report(wrapped.error());
  if (auto audited = note(**organisation, "key.rotate", actor); !audited) return report(audited.error());
  auto damaged = service::damaged_accounts(**organisation);
  if (!damaged) return report(damaged.error());
  Output output;
  output.text() = fmt::format("The key in {} is a new one; {} keys of accounts were wrapped anew.\n",
                              shown((*organisation)->key_place().describe()), *wrapped);
  return finish(output, report_damaged(*damaged));
}

}  // namespace

void add_key(CLI::App& app, Action& action) {
  CLI::App* key = app.add_subcommand("key", "The vault's key");
  key->require_subcommand(1);
  CLI::App* rotate =
      key->add_subcommand("rotate", "Put a new key into the key's file; secrets stay valid throughout");
  auto actor = std::make_shared<service::Actor>();
  add_actor_options(*rotate, actor->who, actor->reason);
  rotate->footer(
      "If it is interrupted, run it again: until then both keys are valid. Secrets that were damaged are "
      "named "
      "and left as they are; the exit status is 1 then.");
  rotate->callback(
      [actor, &action] { action = [actor](const Globals& globals) { return run_rotate(globals, *actor); }; });
  CLI::App* replace = key->add_subcommand(
      "replace", "The key is lost: make a new one, and forget every secret that was sealed under it");
  auto replacer = std::make_shared<service::Actor>();
  add_actor_options(*replace, replacer->who, replacer->reason);
  replace->footer("Refused while the key opens the secrets. Records and links need no key and stay.");
  replace->callback([replacer, &action] {
    action = [replacer](const Globals& globals) { return run_replace(globals, *replacer); };
  });
}

}  // namespace syncline::cli
