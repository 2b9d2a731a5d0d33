// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// For whom a record may be, so that filters are not asked for every mailbox there is.
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "model/record.hpp"
#include "sync/plan/adoption.hpp"

namespace syncline::service {

/// Of no mailbox: filters that want a record for it want it for every mailbox.
inline const std::string nobody = "\x01";

/// Whom a filter may find in a record.
inline std::set<std::string> people_of(const model::Record& record) {
  const std::vector<std::string> named = sync::plan::addresses_in(record.kind, record.fields);
  std::set<std::string> people(named.begin(), named.end());
  people.insert(text::to_lower_ascii(record.owner));
  return people;
}

}  // namespace syncline::service
