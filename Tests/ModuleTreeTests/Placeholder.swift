import Testing
import ModuleTree
