// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string_view>

#include "mime/limits.hpp"
#include "mime/message.hpp"

namespace syncline::mime {

/// Adds what a message/delivery-status (RFC 3464) or message/disposition-notification (RFC 8098) says: groups
/// of fields, the first about the message, the others about a recipient each. `octets`: decoded; may be cut.
void read_report_fields(std::string_view octets, const Limits& limits, Report& report);

}  // namespace syncline::mime
