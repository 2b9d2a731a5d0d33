// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "time/inspect_timezone.hpp"

namespace syncline::cli {

void add_inspect_timezone(CLI::App& inspect, Action& action) {
  CLI::App* command = inspect.add_subcommand(
      "timezone", "Both names of time zones, their rules at a date, and what EWS is sent");
  const auto names = std::make_shared<std::vector<std::string>>();
  const auto at = std::make_shared<std::string>();
  command->add_option("NAME", *names, "Windows or IANA names")->required();
  command->add_option("--at", *at, "Rules of this date (default: now)")->type_name("DATE");
  command->callback([names, at, &action] {
    action = [names, at](const Globals&) {
      auto instant = std::optional(std::chrono::floor<std::chrono::seconds>(system_clock().now()));
      if (!at->empty()) instant = time::parse_instant(*at);
      if (!instant) {
        std::cerr << "--at: no date between 1800 and 2400: " << text::escape_for_display(*at) << '\n';
        return ExitStatus::bad_input;
      }
      ExitStatus status = ExitStatus::done;
      for (const std::string& name : *names) {
        const time::InspectedLine answer = time::inspect_timezone(name, *instant);
        std::cout << answer.json << '\n';
        if (!answer.ok) status = ExitStatus::refused;
      }
      std::cout.flush();
      return std::cout ? status : ExitStatus::local_trouble;
    };
  });
}

}  // namespace syncline::cli
