// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the commands of an organisation share: opening it, saying what is wrong, printing times and JSON
// lines.
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/exit_status.hpp"
#include "cli/assignment_rows.hpp"
#include "cli/command.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::cli {

enum class OpenFor : std::uint8_t { reading, writing };

/// The folder of --org, else the current one if it holds an organisation. Error "no-organisation" (domain
/// input).
Result<std::unique_ptr<service::Organisation>> open_organisation(const Globals& globals, OpenFor purpose);

/// One line on standard error.
void complain(std::string_view message);
/// The same for an error; which exit status it means.
ExitStatus report(const Error& error);
ExitStatus status_of(const Error& error) noexcept;
/// The worse of two: the first that applies of bad input, local trouble, unreachable, refused.
ExitStatus worse(ExitStatus a, ExitStatus b) noexcept;

/// Name of the user who runs the program.
std::string current_user();

/// RFC 3339 in UTC, whole seconds.
std::string print_time(SystemTime time);
/// Escaped for a terminal, on one line.
std::string shown(std::string_view text);

/// The object on a line of its own.
void append_line(Output& output, const boost::json::object& object);

/// --format text|json, text by default.
void add_format_option(CLI::App& command, std::string& format);
/// --as WHO and --reason TEXT.
void add_actor_options(CLI::App& command, std::string& who, std::string& reason);

/// Flushes; local trouble if that fails.
ExitStatus finish(Output& output, ExitStatus status);

}  // namespace syncline::cli
