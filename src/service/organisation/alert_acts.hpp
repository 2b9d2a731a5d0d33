// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "service/organisation/apply.hpp"

namespace syncline::service {

/// Somebody looks after these alerts: nobody else is told of them any more. An entry of the audit for each
/// that was open to it; what comes back are those.
Result<std::vector<std::int64_t>> acknowledge_alerts(Organisation& organisation,
                                                     const std::vector<std::int64_t>& alerts,
                                                     const Actor& actor);

}  // namespace syncline::service
