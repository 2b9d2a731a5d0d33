// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The makers of the groups, for catalogue.cpp alone.
#include "routing/rules/catalogue.hpp"

namespace syncline::rules {

Group request_and_mailbox();
Group profile_record();
Group placement();
Group authentication();
Group transport_and_network();
Group schedule_and_limits();
Group feature_combinations();
Group end_of_ews();

}  // namespace syncline::rules
