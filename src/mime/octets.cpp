// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/octets.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace syncline::mime {
namespace {

Error file_error(const char* code, int number, const std::string& what) {
  return {.domain = ErrorDomain::local,
          .code = code,
          .message = what + ": " + std::generic_category().message(number)};
}

class FileSource final : public Source {
 public:
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~FileSource() override { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::span<char> buffer) override {
    for (;;) {
      const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return fail(file_error("cannot-read", errno, "cannot read the file"));
    }
  }

  Result<void> rewind() override {
    if (::lseek(descriptor_, 0, SEEK_SET) != 0)
      return fail(file_error("cannot-read", errno, "cannot go back to the file's start"));
    return {};
  }

 private:
  int descriptor_;
  std::uint64_t size_;
};

}  // namespace

Result<void> StringSink::write(std::string_view more) {
  octets.append(more);
  return {};
}

Result<std::size_t> MemorySource::read(std::span<char> buffer) {
  const std::size_t count = std::min(buffer.size(), octets_.size() - at_);
  std::copy_n(octets_.data() + at_, count, buffer.data());
  at_ += count;
  return count;
}

Result<void> MemorySource::rewind() {
  at_ = 0;
  return {};
}

Result<std::unique_ptr<Source>> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(file_error("cannot-open", errno, "cannot open the file"));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || S_ISDIR(status.st_mode)) {
    const int number = S_ISDIR(status.st_mode) ? EISDIR : errno;
    ::close(descriptor);
    return fail(file_error("cannot-open", number, "cannot open the file"));
  }
  return std::make_unique<FileSource>(
      descriptor, S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0);
}

}  // namespace syncline::mime
