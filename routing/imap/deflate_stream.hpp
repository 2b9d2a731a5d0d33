// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// COMPRESS=DEFLATE (RFC 4978): raw deflate over a stream, each write flushed.
#include <string_view>

#include "net/stream.hpp"

namespace syncline::imap {

/// `received`: compressed octets that were read from `inner` already. Error of reading: mail
/// "bad-compression".
net::StreamPtr make_deflate_stream(net::StreamPtr inner, std::string_view received);

}  // namespace syncline::imap
