// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline init`: makes an organisation and, unless there is one, its key.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

ExitStatus run_init(const Globals& globals, const std::string& name) {
  if (globals.organisation.empty())
    return report({.domain = ErrorDomain::input,
                   .code = "no-organisation",
                   .message = "Name the folder that is to hold the organisation: syncline --org DIR init"});
  service::OrganisationOptions options;
  options.folder = globals.organisation;
  options.key = globals.key;
  options.key_beside_data = globals.key_beside_data;
  auto created = service::Organisation::create(options, name, system_clock(), system_random());
  if (!created) return report(created.error());
  auto audited = created->organisation->store().write<void>([&](store::Transaction& transaction) {
    return store::append_audit(
        transaction, {.who = current_user(), .act = "organisation.create", .object = "organisation"});
  });
  if (!audited) return report(audited.error());
  Output output;
  output.text() += fmt::format("Made an organisation in {}.\n", shown(globals.organisation));
  output.text() +=
      fmt::format("Its key is {}: {}. It is in no backup of `syncline backup`; keep a copy elsewhere.\n",
                  created->key_is_new ? "new" : "the one that was there", shown(created->key.describe()));
  output.text() += "Next: syncline config example > FILE.toml, edit it, syncline apply FILE.toml\n";
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_init(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("init", "Make an organisation in the folder that --org names");
  auto name = std::make_shared<std::string>();
  command->add_option("--name", *name, "What people call it");
  command->footer("Exit: 0 made, 2 the folder is in use, 4 folder or key cannot be written.");
  command->callback(
      [name, &action] { action = [name](const Globals& globals) { return run_init(globals, *name); }; });
}

}  // namespace syncline::cli
