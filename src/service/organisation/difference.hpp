// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What has to change to bring one configuration to what another says.
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/organisation/configuration.hpp"

namespace syncline::service {

struct FieldChange {
  std::string field;
  boost::json::value from;  ///< null: not stated
  boost::json::value to;
};

struct ObjectChange {
  enum class Action : std::uint8_t { add, change, remove };
  Action action = Action::change;
  std::string object;  ///< "organisation", "policy.sync", "defaults", "profile", "mailbox"
  std::string name;    ///< of a profile or mailbox
  std::vector<FieldChange> fields;
};
std::string_view to_string(ObjectChange::Action action) noexcept;

/// Organisation, policies, defaults, profiles, mailboxes; in the order of `to`, then what is removed. The
/// order of profiles and mailboxes in a file means nothing.
std::vector<ObjectChange> difference(const Configuration& from, const Configuration& to);

}  // namespace syncline::service
