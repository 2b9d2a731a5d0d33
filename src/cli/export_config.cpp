// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline export-config`: the configuration as a file that `apply` takes.
#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "service/organisation/apply_file.hpp"

namespace syncline::cli {

void add_export_config(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "export-config", "Print policies, profiles and mailboxes as a file for apply; no secrets");
  command->callback([&action] {
    action = [](const Globals& globals) {
      auto organisation = open_organisation(globals, OpenFor::reading);
      if (!organisation) return report(organisation.error());
      auto stored = (*organisation)->load();
      if (!stored) return report(stored.error());
      Output output;
      output.text() = service::write_apply_file(stored->configuration);
      return finish(output, ExitStatus::done);
    };
  });
}

}  // namespace syncline::cli
