// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// MessageReader on src/mime.
#include <memory>

#include "routing/pop3/driver/message_reader.hpp"

namespace syncline::pop3 {

std::unique_ptr<MessageReader> mime_message_reader();

}  // namespace syncline::pop3
