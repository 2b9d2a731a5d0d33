// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/organisation_command.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/text.hpp"
#include "time/civil.hpp"

namespace syncline::cli {

Result<std::unique_ptr<service::Organisation>> open_organisation(const Globals& globals, OpenFor purpose) {
  service::OrganisationOptions options;
  options.folder = globals.organisation;
  options.key = globals.key;
  options.key_beside_data = globals.key_beside_data;
  options.read_only = purpose == OpenFor::reading;
  if (options.folder.empty()) {
    std::error_code error;
    if (!std::filesystem::exists("syncline.db", error)) {
      return fail(ErrorDomain::input, "no-organisation",
                  "Name the organisation's folder: syncline --org DIR");
    }
    options.folder = ".";
  }
  auto opened = service::Organisation::open(options, system_clock(), system_random());
  if (!opened && opened.error().code == "older-schema") {
    options.read_only = false;
    opened = service::Organisation::open(options, system_clock(), system_random());
  }
  return opened;
}

void complain(std::string_view message) {
  const std::string line = fmt::format("syncline: {}\n", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

ExitStatus report(const Error& error) {
  complain(shown(error.describe()));
  return status_of(error);
}

ExitStatus status_of(const Error& error) noexcept {
  switch (error.domain) {
    case ErrorDomain::input:
      return ExitStatus::bad_input;
    case ErrorDomain::local:
      return ExitStatus::local_trouble;
    default:
      return ExitStatus::refused;
  }
}

ExitStatus worse(ExitStatus a, ExitStatus b) noexcept {
  for (const ExitStatus status : {ExitStatus::bad_input, ExitStatus::local_trouble, ExitStatus::unreachable,
                                  ExitStatus::refused, ExitStatus::interrupted}) {
    if (a == status || b == status) return status;
  }
  return ExitStatus::done;
}

std::string current_user() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return fmt::format("uid {}", geteuid());
}

std::string print_time(SystemTime time) {
  return time::format_utc(std::chrono::floor<std::chrono::seconds>(time));
}

std::string shown(std::string_view text) {
  return text::escape_for_display(text);
}

void append_line(Output& output, const boost::json::object& object) {
  output.text() += boost::json::serialize(object);
  output.text().push_back('\n');
  output.flush(false);
}

void add_format_option(CLI::App& command, std::string& format) {
  format = "text";
  command.add_option("--format", format, "Format of the output")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void add_actor_options(CLI::App& command, std::string& who, std::string& reason) {
  command.add_option("--as", who, "Who does this, for the audit (default: the user of this session)")
      ->type_name("WHO");
  command.add_option("--reason", reason, "Why, for the audit")->type_name("TEXT");
}

ExitStatus finish(Output& output, ExitStatus status) {
  return output.flush(true) ? status : worse(status, ExitStatus::local_trouble);
}

}  // namespace syncline::cli
