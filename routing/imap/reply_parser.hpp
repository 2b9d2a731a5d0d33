// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to the codec: a reply whose octets are all there, to its type.
#include <string_view>

#include "base/error.hpp"
#include "routing/imap/reply.hpp"
#include "routing/imap/tokens.hpp"

namespace syncline::imap {

/// "+ …", "tag OK …", "* OK …": lines with free text, in which nothing is a literal.
bool is_status_line(std::string_view line) noexcept;
Result<Reply> parse_status_line(std::string_view line);
/// Any other untagged reply. One that is not after its grammar is an OtherReply, unless what was lost matters
/// (error mail "bad-response").
Result<Reply> parse_data(const Tokens& tokens, const Limits& limits);

}  // namespace syncline::imap
