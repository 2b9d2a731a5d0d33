// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "ews/inspect/inspector.hpp"

namespace syncline::cli {

void add_inspect_ews(CLI::App& inspect, Action& action) {
  CLI::App* command =
      inspect.add_subcommand("ews", "How files of EWS requests, responses and notifications are understood");
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "Files to read; one line is printed for each")->required();
  command->callback([&action, files] {
    action = [files](const Globals&) {
      ExitStatus status = ExitStatus::done;
      for (const std::string& file : *files) {
        const boost::json::object told = ews::inspect::inspect_file(file, ews::inspect::inspect_limits());
        if (told.contains("error")) status = ExitStatus::refused;
        const std::string line = boost::json::serialize(told) + '\n';
        if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return ExitStatus::local_trouble;
      }
      return std::fflush(stdout) == 0 ? status : ExitStatus::local_trouble;
    };
  });
}

}  // namespace syncline::cli
