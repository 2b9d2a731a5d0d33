// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Names of folders on the wire: modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 once UTF8=ACCEPT or
// IMAP4rev2 is enabled.
#include <string>
#include <string_view>

namespace syncline::imap {

/// What is not modified UTF-7 stays as it is, with broken UTF-8 replaced: a person only reads it; on the wire
/// the server's own octets are sent back.
std::string decode_mailbox_name(std::string_view name);
/// `name` is UTF-8; broken octets become U+FFFD.
std::string encode_mailbox_name(std::string_view name);

}  // namespace syncline::imap
