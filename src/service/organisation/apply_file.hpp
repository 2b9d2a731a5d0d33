// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The administrator's file: [organisation], [policy.*], [[profile]], [[mailbox]] in TOML. Read strictly,
// written back so that reading gives the same again.
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "service/organisation/configuration.hpp"

namespace syncline::service {

inline constexpr std::size_t apply_file_limit_octets = std::size_t{64} << 20;
/// More than this are not listed.
inline constexpr std::size_t apply_problems_limit = 50;

struct FileProblem {
  std::uint64_t line = 0;  ///< from 1; 0: the file as a whole
  std::uint64_t column = 0;
  std::string key;     ///< "profile.in_port"; may be empty
  std::string reason;  ///< safe to print

  /// "file:12:3: profile.in_port: …"
  std::string describe(std::string_view file) const;
};

/// Everything that is wrong with the file, in its order; nothing of it counts then. A key that looks like a
/// secret is wrong whatever its value, which is not repeated in the reason.
expected<Configuration, std::vector<FileProblem>> read_apply_file(std::istream& input);

/// A value as the file has it (true, 5, "x", ["a", "b"], { … }, 2026-11-01); a word without quotes is a text.
/// Error: what is wrong with it.
expected<boost::json::value, std::string> read_setting_value(std::string_view text);

/// Without secrets, approvals and states: those are not the file's.
std::string write_apply_file(const Configuration& configuration);

/// A sample with every key, all of them commented out but those of one working profile and mailbox.
std::string apply_file_example();

/// Whether a name looks like that of a secret: password, client_secret, token, …
bool looks_like_secret(std::string_view key);

}  // namespace syncline::service
