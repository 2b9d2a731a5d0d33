// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline backup DIR`: database and content, consistently, beside a running engine; without the key.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "store/journal.hpp"

namespace syncline::cli {

void add_backup(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("backup", "Copy database and content to a new folder; never the key");
  auto target = std::make_shared<std::string>();
  command->add_option("DIR", *target, "A folder that is not there yet, or empty")->required();
  command->callback([target, &action] {
    action = [target](const Globals& globals) {
      auto organisation = open_organisation(globals, OpenFor::writing);
      if (!organisation) return report(organisation.error());
      if (auto done = service::backup(**organisation, *target); !done) return report(done.error());
      auto audited = (*organisation)->store().write<void>([&](store::Transaction& transaction) {
        return store::append_audit(
            transaction,
            {.who = current_user(), .act = "organisation.backup", .object = "organisation to " + *target});
      });
      if (!audited) return report(audited.error());
      Output output;
      output.text() = fmt::format("Copied to {}. The key is not in it: {}.\n", shown(*target),
                                  shown((*organisation)->key_place().describe()));
      return finish(output, ExitStatus::done);
    };
  });
}

}  // namespace syncline::cli
