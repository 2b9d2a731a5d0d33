// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A record's fields as a message, written by src/mime.
#include <string>

#include "routing/smtp/driver/message.hpp"

namespace syncline::smtp {

struct ComposerSettings {
  std::string address = {};  ///< the mailbox's own
  std::string name = {};     ///< shown beside it; empty: none
  /// Up to here a text is held in memory, beyond it in a file without a name.
  std::size_t memory_octets = std::size_t{512} << 10;
  std::string folder = {};  ///< for that file; empty: the system's for temporary files
};

/// An order that is sent on behalf of another address bears that in From and the mailbox in Sender.
Compose mime_composer(ComposerSettings settings);

}  // namespace syncline::smtp
