// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "time/inspect_recurrence.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t most_dates = 100'000;

/// One line, its end taken off. A line over the limit is cut just behind it, and the rest of it passed over:
/// the reader says "too-large" and the next line is whole again.
bool read_line(std::istream& in, std::string& line) {
  line.clear();
  bool any = false;
  for (int c = in.get(); c != std::char_traits<char>::eof(); c = in.get()) {
    any = true;
    if (c == '\n') break;
    if (line.size() <= time::recurrence_line_limit_octets) line += static_cast<char>(c);
  }
  return any;
}

ExitStatus inspect_lines(std::istream& in, std::size_t count) {
  ExitStatus status = ExitStatus::done;
  std::string line;
  for (std::size_t number = 1; read_line(in, line); ++number) {
    std::string_view content = line;
    if (number == 1 && content.substr(0, 3) == "\xef\xbb\xbf") content.remove_prefix(3);
    if (text::trim(content).empty()) continue;
    const time::InspectedLine answer = time::inspect_recurrence(content, number, count);
    std::cout << answer.json << '\n';
    if (!answer.ok) status = ExitStatus::refused;
  }
  std::cout.flush();
  return std::cout ? status : ExitStatus::local_trouble;
}

}  // namespace

void add_inspect_recurrence(CLI::App& inspect, Action& action) {
  CLI::App* command = inspect.add_subcommand(
      "recurrence",
      "Dates and both spellings of recurrences: JSON lines with recurrence (EWS) or rrule and dtstart");
  const auto file = std::make_shared<std::string>();
  const auto count = std::make_shared<std::size_t>(100);
  command->add_option("FILE", *file, "JSON lines; - is standard input")->required();
  command->add_option("--count", *count, "How many dates at most")
      ->check(CLI::Range(std::size_t{0}, most_dates))
      ->capture_default_str();
  command->callback([file, count, &action] {
    action = [file, count](const Globals&) {
      if (*file == "-") return inspect_lines(std::cin, *count);
      std::ifstream in(*file, std::ios::binary);
      if (!in || in.peek() == std::char_traits<char>::eof()) {
        if (in.is_open() && in.eof() && !in.bad()) return ExitStatus::done;  // empty
        std::cout << time::cannot_open(*file) << '\n';
        return ExitStatus::refused;
      }
      return inspect_lines(in, *count);
    };
  });
}

}  // namespace syncline::cli
