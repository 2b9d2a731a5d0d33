// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An assignment of a mailbox to a profile with every field that has a default filled in.
#include "routing/rules/field_values.hpp"

namespace syncline::rules {

/// What the rules judge. `defaulted`: the fields that were not given and took their default.
struct Assignment {
  FieldValues values;
  FieldSet defaulted;
};

/// Fills in the defaults of the fields that `given` leaves empty; each depends only on fields resolved before
/// it (type → protocols → ports → TLS). `today` is the day env_as_of takes: the rules never ask a clock.
void fill_defaults(Assignment& assignment, const FieldValues& given, Day today);
Assignment with_defaults(const FieldValues& given, Day today);

/// What `field` would be in this row had it not been given. False: it would be empty, and `values` has it
/// cleared.
bool set_to_default(FieldValues& values, Field field, Day today);

/// Where a mailbox lives, from the domain of its address; `other` for what is not known.
Word host_from_address(std::string_view address);

}  // namespace syncline::rules
