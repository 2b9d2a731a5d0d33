// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline key rotate`: changes the vault's key.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "service/organisation/apply.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

ExitStatus run_rotate(const Globals& globals, const service::Actor& actor) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto wrapped = service::rotate_master_key(**organisation);
  if (!wrapped) return report(wrapped.error());
  auto audited = (*organisation)->store().write<void>([&](store::Transaction& transaction) {
    return store::append_audit(transaction, {.who = actor.who.empty() ? current_user() : actor.who,
                                             .act = "key.rotate",
                                             .object = "organisation",
                                             .reason = actor.reason});
  });
  if (!audited) return report(audited.error());
  Output output;
  output.text() = fmt::format("The key in {} is a new one; {} keys of accounts were wrapped anew.\n",
                              shown((*organisation)->key_place().describe()), *wrapped);
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_key(CLI::App& app, Action& action) {
  CLI::App* key = app.add_subcommand("key", "The vault's key");
  key->require_subcommand(1);
  CLI::App* rotate =
      key->add_subcommand("rotate", "Put a new key into the key's file; secrets stay valid throughout");
  auto actor = std::make_shared<service::Actor>();
  add_actor_options(*rotate, actor->who, actor->reason);
  rotate->footer("If it is interrupted, run it again: until then both keys are valid.");
  rotate->callback(
      [actor, &action] { action = [actor](const Globals& globals) { return run_rotate(globals, *actor); }; });
}

}  // namespace syncline::cli
