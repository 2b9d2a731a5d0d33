// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string_view>

#include "mime/header_block.hpp"
#include "mime/limits.hpp"
#include "mime/message.hpp"

namespace syncline::mime {

/// Reads the fields of a message's own header into `message`, and notes what is missing. `hint`: a charset
/// for raw octets.
void read_header_values(const HeaderBlock& header, std::string_view hint, const Limits& limits,
                        Message& message);

}  // namespace syncline::mime
