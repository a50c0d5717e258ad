# sl_module(NAME SOURCES a.c b.c DEPS base credit [LINK PkgConfig::X])
#
# One module of lib/: a static library sl_NAME. DEPS are the modules that its files may include;
# tests/lint/layers.py holds the #include lines against them.
function(sl_module name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LINK" ${ARGN})
    add_library(sl_${name} STATIC ${ARG_SOURCES})
    list(TRANSFORM ARG_DEPS PREPEND sl_ OUTPUT_VARIABLE libraries)
    target_link_libraries(sl_${name} PUBLIC sl_flags ${libraries} ${ARG_LINK})
endfunction()

# sl_plugin(NAME SOURCES a.c [LINK PkgConfig::X])
#
# One built-in plugin: sees plugins/sluice_plugin.h and its own libraries, nothing of lib/.
function(sl_plugin name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
    add_library(sl_plugin_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(sl_plugin_${name} PUBLIC sl_flags ${ARG_LINK})
endfunction()

# sl_unit_test(NAME MODULE module [SOURCES a.c ...] [LINK ...])
#
# A cmocka program that links one module (and what that one needs) and runs in milliseconds.
function(sl_unit_test name)
    cmake_parse_arguments(ARG "" "MODULE" "SOURCES;LINK" ${ARGN})
    if(NOT ARG_SOURCES)
        set(ARG_SOURCES ${name}.c)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit)
    target_link_libraries(${name} PRIVATE sl_${ARG_MODULE} PkgConfig::CMOCKA ${ARG_LINK})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()
