// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <string>
#include <vector>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// What `--profiles FILE.toml` holds: `[[profile]]` tables with `name`, `type` and the other profile fields
/// (with or without `prof_`), and `recipient_types` for a profile that takes all mailboxes of these types;
/// `[env]` and
/// `[request]` for what holds for every row.
struct ProfileFile {
  struct Profile {
    std::string name;
    FieldValues values;  ///< with env and request
    std::vector<std::string> recipient_types;
  };
  FieldValues common;  ///< env and request
  std::vector<Profile> profiles;

  const Profile* named(std::string_view name) const noexcept;
  const Profile* for_recipient_type(std::string_view type) const noexcept;
};

expected<ProfileFile, InputProblem> read_profile_file(std::istream& input);

}  // namespace syncline::rules
