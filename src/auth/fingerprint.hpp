// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tells two secrets apart without giving either away: part of connection pool keys.
#include <string>

#include "base/secret.hpp"

namespace syncline::auth {

/// 32 hex digits of HMAC-SHA-256 under a key drawn at random when the process starts: equal secrets have
/// equal fingerprints within one process, and nobody outside it can test a guess against one.
std::string secret_fingerprint(const Secret& secret);

}  // namespace syncline::auth
