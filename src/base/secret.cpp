// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/secret.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace syncline {

void wipe(std::string& text) noexcept {
  // Short strings live inside the object and longer ones may have had a longer life: the whole capacity goes.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string&& text) : text_(text) {
  wipe(text);
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
  wipe(other.text_);
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe(text_);
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
  }
  return *this;
}

Secret::~Secret() {
  wipe(text_);
}

}  // namespace syncline
