// A host's own protobuf and OpenCV, of other versions: functions of the names that fovea's would
// have, in a library that the loader asks first. Whoever calls one of them has found the wrong
// library.
#include <cstdlib>
#include <iostream>
#include <string>

[[noreturn]] void wrong(const char* name) {
  std::cout << "called the host's " << name << std::endl;
  std::_Exit(1);
}

extern "C" int host_has_its_own() {
  return 1;
}

namespace google::protobuf {
namespace io {
class CodedInputStream {
 public:
  bool Refresh();
};
class ArrayInputStream {
 public:
  ArrayInputStream(const void* data, int size, int block);
};
bool CodedInputStream::Refresh() {
  wrong("CodedInputStream::Refresh");
}
ArrayInputStream::ArrayInputStream(const void*, int, int) {
  wrong("ArrayInputStream");
}
}  // namespace io
class MessageLite {
 public:
  bool ParseFromCodedStream(io::CodedInputStream* stream);
  bool ParseFromString(const std::string& text);
};
bool MessageLite::ParseFromCodedStream(io::CodedInputStream*) {
  wrong("ParseFromCodedStream");
}
bool MessageLite::ParseFromString(const std::string&) {
  wrong("ParseFromString");
}
}  // namespace google::protobuf

namespace cv {
class _InputArray {};
class _OutputArray {};
template <class T>
struct Size_ {
  T width, height;
};
class Mat {
 public:
  Mat();
  Mat(int rows, int columns, int type);
  Mat(int rows, int columns, int type, void* data, unsigned long step);
};
Mat::Mat() {
  wrong("Mat");
}
Mat::Mat(int, int, int) {
  wrong("Mat");
}
Mat::Mat(int, int, int, void*, unsigned long) {
  wrong("Mat");
}
void resize(const _InputArray&, const _OutputArray&, Size_<int>, double, double, int) {
  wrong("resize");
}
void applyColorMap(const _InputArray&, const _OutputArray&, int) {
  wrong("applyColorMap");
}
}  // namespace cv
