// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline config example`: a commented sample with every key.
#include <CLI/CLI.hpp>

#include "cli/organisation_command.hpp"
#include "service/organisation/apply_file.hpp"

namespace syncline::cli {

void add_config(CLI::App& app, Action& action) {
  CLI::App* config = app.add_subcommand("config", "The file that apply takes");
  config->require_subcommand(1);
  CLI::App* example = config->add_subcommand("example", "Print a commented sample with every key");
  example->callback([&action] {
    action = [](const Globals&) {
      Output output;
      output.text() = service::apply_file_example();
      return finish(output, ExitStatus::done);
    };
  });
}

}  // namespace syncline::cli
