// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string_view>

namespace syncline::service {

/// Code (domain auth) of VaultSecretStore::get for a secret whose row was changed or damaged. It is its
/// account's trouble, not that of the machine: everybody else's secrets can be opened.
inline constexpr std::string_view secret_damaged = "secret-damaged";

}  // namespace syncline::service
